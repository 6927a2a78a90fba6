// Owns the transport as tests use it: allowed to reach loopback, and closed when the test ends.

import {
  createTransport,
  type SendResult,
  type Transport,
  type TransportOptions,
} from '../../src/webhooks/transport.js';

export function transportFor(
  t: { teardown(close: () => Promise<void>): unknown },
  options: Partial<TransportOptions> = {},
): Transport {
  const transport = createTransport({ allowPrivate: true, allowHttp: false, ...options });
  t.teardown(() => transport.close());
  return transport;
}

/** A POST of an empty object. */
export function send(transport: Transport, url: string): Promise<SendResult> {
  return transport.send({ url, headers: { 'content-type': 'application/json' }, body: '{}' });
}

/** A promise and what resolves it. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
