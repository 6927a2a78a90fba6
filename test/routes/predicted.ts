// Predictions of every customer, put there past the service: a tenant with few orders has no model to predict by.

import type { Rows } from './rows.js';

export async function predictEverybody({ query }: Pick<Rows, 'query'>): Promise<void> {
  await query(
    `INSERT INTO customer_predictions (tenant_id, customer_id, computed_at, calibration_version, model, p_alive,
                                       expected_orders_30, expected_orders_90, expected_orders_365)
     SELECT tenant_id, customer_id, updated_at, 1, 'mbg', 0.5, 0.2, 0.6, 2 FROM customer_lifecycles`,
  );
  await query(
    `INSERT INTO customer_values (tenant_id, customer_id, currency, historic_minor, future_minor)
     SELECT tenant_id, customer_id, 'EUR', 5000, 10000 FROM customer_lifecycles`,
  );
}
