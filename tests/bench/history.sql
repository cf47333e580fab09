-- Two hundred thousand more records behind the head, so that a replay has something to do.
SELECT turunc.log_append(1764000000000000, array_fill('foreign'::text, ARRAY[2000]),
  array_fill(NULL::bigint, ARRAY[2000]), array_fill(NULL::text, ARRAY[2000]), array_fill(NULL::text, ARRAY[2000]),
  array_fill('client:bench'::text, ARRAY[2000]), array_fill('\x1207666f726569676e1a07666f726569676e'::bytea, ARRAY[2000]))
FROM generate_series(1, 100);
