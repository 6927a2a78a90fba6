// Owns the shapes of batches of customers in the API, in and out.

import { backfill, batchItems } from '../api/batch.js';
import { ItemProblem } from '../api/problem.js';
import { closed, ref, type Shared, shared } from '../api/schema.js';
import { batchResult, Uuid } from '../api/shapes.js';
import { CustomerInput } from './schemas.js';

export const CustomerBatch = shared(
  'CustomerBatch',
  closed({
    items: batchItems(
      ref(CustomerInput),
      'In order. With external ids: created, or changed where one of them is known. Without: created.',
    ),
    backfill,
  }),
);

export const CustomerBatchResult = shared(
  'CustomerBatchResult',
  batchResult(closed({ id: ref(Uuid) }), ref(ItemProblem)),
);

/** For registration. */
export const CUSTOMER_BATCH_SCHEMAS: Shared[] = [CustomerBatch, CustomerBatchResult];
