-- Store sales of customers with a loyalty card, of today and yesterday, and one that is too old for
-- Pinterest.
CREATE SCHEMA shop;
CREATE TABLE shop.store_sales (
    receipt text PRIMARY KEY, store text, sold_at timestamptz NOT NULL, email text, card text, total numeric(10, 2),
    currency char(3), loaded_at timestamptz NOT NULL
);
INSERT INTO shop.store_sales VALUES
    ('r-1', 'Berlin', now() - interval '9 days', 'jane@example.com', 'C-1', 12.00, 'EUR', now() - interval '9 hours'),
    ('r-2', 'Berlin', date_trunc('day', now()) - interval '14 hours', 'jane@example.com', 'C-1', 39.98, 'EUR',
     now() - interval '8 hours'),
    ('r-3', 'Berlin', date_trunc('day', now()) - interval '13 hours', 'joe@example.com', 'C-2', 7.50, 'EUR',
     now() - interval '7 hours'),
    ('r-4', 'Berlin', now() - interval '1 minute', 'zoe@example.com', 'C-3', 27.49, 'EUR', now());

CREATE VIEW shop.counter_sales AS SELECT
    receipt, store, sold_at, to_char(sold_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS sold_on, email, card, total, currency, loaded_at
FROM shop.store_sales;
