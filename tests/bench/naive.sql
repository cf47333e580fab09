-- What one would write first: the same rows, one transaction a ticket, records numbered by a sequence.
CREATE SCHEMA naive;
CREATE TABLE naive.citizen (LIKE turunc.citizen INCLUDING ALL);
CREATE TABLE naive.contact (LIKE turunc.contact INCLUDING ALL);
CREATE TABLE naive.ticket (LIKE turunc.ticket INCLUDING ALL);
CREATE TABLE naive.event_log (LIKE turunc.event_log_0 INCLUDING ALL);
CREATE SEQUENCE naive.ticket_no START 260000001;
CREATE SEQUENCE naive.seq;
CREATE TABLE naive.inbound_item (LIKE turunc.inbound_item INCLUDING ALL);
