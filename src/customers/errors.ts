// Owns the failure to find a customer, which most use cases of this module can meet.

import { NotFoundError } from '../errors.js';

export function customerNotFound(pointer?: string): NotFoundError {
  const detail = 'There is no such customer.';
  return new NotFoundError(
    'customer_not_found',
    detail,
    pointer === undefined ? {} : { faults: [{ pointer, detail }] },
  );
}
