-- Orders with their customers' consent: ads is 'granted', 'denied' or missing; limited asks for
-- limited data processing.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY, paid_at timestamptz, customer jsonb, total numeric(10, 2), currency char(3), consent jsonb, note text,
    updated_at timestamptz NOT NULL
);
INSERT INTO shop.orders VALUES
    (4001, now() - interval '4 hours', '{"email": "jane@example.com", "name": "Jane Doe", "state": "CA", "country": "US"}',
     39.98, 'USD', '{"ads": "granted", "limited": true}', 'call +1 212 555 0100 first', now() - interval '4 hours'),
    (4002, now() - interval '3 hours', '{"email": "joe@example.com", "name": "Joe Doe", "state": "NY", "country": "US"}',
     7.50, 'USD', '{"ads": "denied"}', NULL, now() - interval '3 hours'),
    (4003, now() - interval '2 hours', '{"email": "zoe@example.com", "name": "Zoe Doe", "state": "NY", "country": "US"}',
     27.49, 'USD', NULL, NULL, now() - interval '2 hours'),
    (4004, now() - interval '1 hour', '{"email": "ann@example.com", "name": "Ann Doe", "state": "NY", "country": "US"}',
     19.99, 'USD', '{"ads": "granted"}', NULL, now() - interval '1 hour'),
    (4005, now() - interval '1 minute', '{"email": "qa@test.example.com", "name": "Test", "state": "NY", "country": "US"}',
     0.01, 'USD', '{"ads": "granted"}', NULL, now());
