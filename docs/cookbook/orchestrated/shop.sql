-- A view whose columns are named like Pinterest's fields, with 20 orders of the last day.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, paid_at timestamptz, email text, total numeric(10, 2), updated_at timestamptz);
INSERT INTO shop.orders SELECT number, now() - interval '1 hour' * number, 'buyer' || number || '@example.com', 10 + number,
    now() - interval '1 hour' * number FROM generate_series(1, 20) AS number;

CREATE VIEW shop.conversions AS SELECT
    'order-' || id AS event_id, 'checkout' AS event_name, 'web' AS action_source, paid_at AS event_time, email AS em,
    total AS value, 'EUR' AS currency, updated_at
FROM shop.orders;
