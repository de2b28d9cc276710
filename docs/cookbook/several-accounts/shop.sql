-- One shop in two countries, with an ad account for each, named in shops.ad_account_id.
CREATE SCHEMA shop;
CREATE TABLE shop.shops (country char(2) PRIMARY KEY, ad_account_id text NOT NULL);
INSERT INTO shop.shops VALUES ('DE', '549755885175'), ('US', '549755885176');
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY, country char(2) NOT NULL, paid_at timestamptz, email text, total numeric(10, 2), currency char(3),
    updated_at timestamptz NOT NULL
);
INSERT INTO shop.orders VALUES
    (2001, 'DE', now() - interval '5 hours', 'jane@example.com', 39.98, 'EUR', now() - interval '5 hours'),
    (2002, 'US', now() - interval '4 hours', 'joe@example.com', 7.50, 'USD', now() - interval '4 hours'),
    (2003, 'US', now() - interval '3 hours', 'zoe@example.com', 27.49, 'USD', now() - interval '3 hours');

CREATE VIEW shop.conversions AS SELECT
    'order-' || id AS event_id, paid_at AS event_time, email AS em, country, total AS value, currency, id AS order_id,
    ad_account_id, updated_at
FROM shop.orders JOIN shop.shops USING (country) WHERE paid_at IS NOT NULL;
