-- metrics rebuilds its projection by several statements that must see one moment of the record.
ALTER ROLE turunc_metrics SET default_transaction_isolation = 'repeatable read';
