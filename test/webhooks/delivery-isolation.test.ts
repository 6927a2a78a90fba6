// One tenant's endpoints, all of which hang, and another tenant's that is well.

import t from 'tap';
import type { SendInput } from '../../src/webhooks/transport.js';
import { createReceiver } from '../helpers/receiver.js';
import { gate, transportFor } from '../helpers/transport.js';
import { openOutbox } from '../outbox/fixture.js';

const HANGING = 50;
const EVENTS = 12;

t.test('fifty endpoints of a tenant that never answer hold up nobody else', async (t) => {
  const outbox = await openOutbox(t);
  const { clock, endpoint, publish } = outbox;
  const receiver = await createReceiver(t);
  const [hanging, well, fresh] = [await outbox.tenant(), await outbox.tenant(), await outbox.tenant()];
  for (let i = 0; i < HANGING; i++) await endpoint(hanging, `${receiver.url}/hangs/${i}`);
  await endpoint(well, `${receiver.url}/well`);
  await endpoint(fresh, `${receiver.url}/fresh`);
  const transport = transportFor(t);
  const { opened, open } = gate();
  let hung = 0;
  const send = async (input: SendInput) => {
    if (input.url.includes('/hangs/')) {
      hung += 1;
      await opened;
    }
    return transport.send(input);
  };
  const worker = outbox.worker(t, { transport: { send } });
  t.teardown(async () => open());
  await publish(well, [{}]);
  await worker.pump(clock.now());
  await receiver.waitFor(1);
  await worker.settled();

  await publish(hanging, Array(EVENTS).fill({}));
  for (let claimed = 1; claimed > 0; ) claimed = await worker.pump(clock.now());
  t.ok(hung > 0 && receiver.requests.length === 1, `${hung} hang`);
  for (let round = 1; round <= 3; round++) {
    await publish(well, [{}, {}, {}]);
    await publish(fresh, [{}]);
    for (let claimed = 1; claimed > 0; ) claimed = await worker.pump(clock.now());
    await receiver.waitFor(1 + round * 4);
  }
  t.ok(
    receiver.requests.every(({ path }) => !path.startsWith('/hangs')),
    'none of the others has ended',
  );
  open();
  await worker.settled();
  t.ok(receiver.requests.length > 13, 'and then they go on');
});
