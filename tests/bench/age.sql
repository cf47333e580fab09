-- What time leaves beside an old snapshot: versions of a row that nothing may clean away.  Each update
-- finds its row by its place (ctid), so that making a hundred thousand of them takes a second; whoever
-- looks the row up by its key afterwards passes all of them, as it would after ten minutes.
CREATE FUNCTION public.age(the_table regclass, row_filter text, same_column text, versions bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  at tid;
BEGIN
  EXECUTE format('SELECT ctid FROM %s WHERE %s', the_table, row_filter) INTO at;
  IF at IS NULL THEN
    RETURN;
  END IF;
  FOR n IN 1 .. versions LOOP
    EXECUTE format('UPDATE %s SET %I = %I WHERE ctid = $1 RETURNING ctid', the_table, same_column, same_column)
      INTO STRICT at USING at;
  END LOOP;
END $$;
