-- A shop's orders, and a view that turns them into conversions. The last order identifies nobody, so
-- it becomes a dead letter.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY, status text, paid_at timestamptz, email text, phone text, country char(2),
    total numeric(10, 2), currency char(3), lines jsonb, updated_at timestamptz NOT NULL
);
INSERT INTO shop.orders VALUES
    (1001, 'paid', now() - interval '5 hours', ' Jane@Example.com', '+1 212 555 0100', 'US', 39.98, 'USD',
     '[{"sku": "MUG-1", "title": "Mug", "price": 19.99, "qty": 2}]', now() - interval '4 hours'),
    (1002, 'open', now() - interval '4 hours', 'joe@example.com', '(212) 555-0101', 'US', 7.50, 'USD',
     '[{"sku": "PIN-7", "title": "Pin", "price": 7.50, "qty": 1}]', now() - interval '3 hours'),
    (1003, 'paid', now() - interval '3 hours', NULL, NULL, 'US', 7.50, 'USD',
     '[{"sku": "PIN-7", "title": "Pin", "price": 7.50, "qty": 1}]', now() - interval '2 hours'),
    (1004, 'paid', now() - interval '2 hours', 'zoe@example.com', NULL, 'DE', 27.49, 'EUR',
     '[{"sku": "MUG-1", "title": "Mug", "price": 19.99, "qty": 1}, {"sku": "PIN-7", "title": "Pin", "price": 7.50, "qty": 1}]',
     now() - interval '1 hour');

-- The columns are named like Pinterest's fields, so no mapping is needed. Views have no key: event_id
-- is used as one.
CREATE VIEW shop.conversions AS SELECT
    'order-' || id AS event_id, 'checkout' AS event_name, 'web' AS action_source, paid_at AS event_time,
    email AS em, phone AS ph, country, total AS value, currency, id AS order_id,
    (SELECT jsonb_agg(jsonb_build_object('id', line->'sku', 'item_name', line->'title', 'item_price', line->'price',
                                         'quantity', line->'qty')) FROM jsonb_array_elements(lines) AS line) AS contents,
    updated_at
FROM shop.orders WHERE status = 'paid';
