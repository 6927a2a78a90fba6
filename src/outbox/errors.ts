// Owns how the module says that there is no such thing.

import { NotFoundError } from '../errors.js';

export function unknownEndpoint(): NotFoundError {
  return new NotFoundError('webhook_endpoint_not_found', 'There is no such webhook endpoint.');
}

export function unknownDelivery(): NotFoundError {
  return new NotFoundError('delivery_not_found', 'There is no such delivery.');
}

export function unknownReplay(): NotFoundError {
  return new NotFoundError('webhook_replay_not_found', 'There is no such replay.');
}
