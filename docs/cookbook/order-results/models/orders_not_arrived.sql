-- Paid orders that Pinterest does not have, and why; one row per order. Needs results_events: all.
WITH results AS (
    SELECT
        key::jsonb ->> 'id' AS digest,
        outcome, reason, field, detail, at,
        row_number() OVER (PARTITION BY key ORDER BY outcome = 'delivered' DESC, id DESC) AS place
    FROM {{ source('pinterest', 'pinterest_event_results') }}
    WHERE stream = 'shop-orders'
)

SELECT
    orders.id,
    orders.paid_at,
    orders.total,
    orders.currency,
    coalesce(results.outcome, 'no result') AS outcome,
    results.reason,
    results.field,
    results.detail,
    results.at
FROM {{ source('shop', 'orders') }} AS orders
LEFT JOIN results
    ON results.place = 1
    AND results.digest = encode(sha256(convert_to(orders.id::text, 'UTF8')), 'hex')
WHERE orders.status = 'paid' AND results.outcome IS DISTINCT FROM 'delivered'
