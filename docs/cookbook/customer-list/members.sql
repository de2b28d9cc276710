-- A table with the current members: a row is deleted when the member leaves.
CREATE SCHEMA shop;
CREATE TABLE shop.members (id bigint PRIMARY KEY, email text, alt_email text, phone text, joined_at timestamptz DEFAULT now());
INSERT INTO shop.members (id, email) SELECT number, 'Member' || number || '@Example.com' FROM generate_series(1, 150) AS number;
UPDATE shop.members SET alt_email = 'jane@example.com' WHERE id = 1;
