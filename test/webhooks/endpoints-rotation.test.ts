// Secrets over time: their kinds, their rotation, and what signs while they overlap.

import { createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { createDeliverer } from '../../src/outbox/deliver.js';
import { createReceiver, type ReceivedRequest } from '../helpers/receiver.js';
import { startService } from '../helpers/service.js';
import { transportFor } from '../helpers/transport.js';

const PATH = '/v1/webhook-endpoints';
const HOUR_MS = 3_600_000;
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

t.test('secrets', async (t) => {
  const service = await startService(t, { environment: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
  const receiver = await createReceiver(t);
  const deliverer = createDeliverer({
    database: service.database,
    transport: transportFor(t),
    targets: service.services.webhooks,
    clock: service.clock.now,
    wallClock: () => new Date(),
    onError: (error) => t.fail(String(error)),
  });
  const make = async (body: object = {}) => {
    const made = await service.inject('POST', PATH, { body: { url: receiver.url, ...body } });
    t.equal(made.statusCode, 201, made.body);
    return made.json();
  };
  const rotate = (id: string, body: object = {}) =>
    service.inject('POST', `${PATH}/${id}/secret/rotate`, { body });
  const shown = async (id: string) => (await service.inject('GET', `${PATH}/${id}`)).json();
  /** What the receiver is sent now. */
  const sent = async (id: string): Promise<ReceivedRequest> => {
    await service.inject('POST', `${PATH}/${id}/test`);
    await deliverer.pump(service.clock.now());
    await deliverer.settled();
    return receiver.requests.at(-1) as ReceivedRequest;
  };
  const signatures = ({ headers }: ReceivedRequest) => (headers['webhook-signature'] ?? '').split(' ');

  await t.test('with v1a an ed25519 key signs, and its public half is shown', async (t) => {
    const made = await make({ signing: 'v1a' });
    t.match(made, { signing: 'v1a', secret: /^whsk_/, publicKey: /^whpk_/ });
    t.match(await shown(made.id), { signing: 'v1a', publicKey: made.publicKey });
    const request = await sent(made.id);
    t.ok(isSignedBy(made.publicKey, request), 'it verifies');
    t.notOk(isSignedBy(made.publicKey, { ...request, body: `${request.body} ` }), 'another body does not');
    const other = await make({ signing: 'v1a' });
    t.notOk(isSignedBy(other.publicKey, request), 'nor does it with another key');
    const secretKey = Buffer.from(made.secret.slice('whsk_'.length), 'base64');
    t.equal(secretKey.length, 64);
    t.equal(`whpk_${secretKey.subarray(32).toString('base64')}`, made.publicKey, 'seed, then public key');
  });

  await t.test('a rotated secret and the one before it both sign, for a day', async (t) => {
    const { id, secret: before, version } = await make();
    const rotated = await rotate(id);
    t.equal(rotated.statusCode, 200, rotated.body);
    const { secret: after, overlapEndsAt } = rotated.json();
    t.not(after, before);
    t.equal(new Date(overlapEndsAt).getTime(), service.clock.now().getTime() + 24 * HOUR_MS);
    t.equal((await shown(id)).version, version + 1);
    t.equal((await service.inject('GET', `${PATH}/${id}/secret`)).json().secret, after);
    service.clock.advance(23 * HOUR_MS);
    const both = await sent(id);
    for (const secret of [before, after]) {
      t.ok(new Webhook(secret).verify(both.body, both.headers, { jsonParse: false }) !== null);
    }
    t.equal(signatures(both).length, 2);
    service.clock.advance(2 * HOUR_MS);
    const alone = await sent(id);
    t.equal(signatures(alone).length, 1);
    t.doesNotThrow(() => new Webhook(after).verify(alone.body, alone.headers));
    t.throws(() => new Webhook(before).verify(alone.body, alone.headers));
  });

  await t.test('the kind may change, and both kinds sign meanwhile', async (t) => {
    const { id, secret } = await make();
    const { publicKey, signing } = (await rotate(id, { signing: 'v1a', overlapS: 60 })).json();
    t.equal(signing, 'v1a');
    const request = await sent(id);
    t.same(
      signatures(request).map((one) => one.split(',')[0]),
      ['v1a', 'v1'],
    );
    t.ok(isSignedBy(publicKey, request));
    t.doesNotThrow(() => new Webhook(secret).verify(request.body, request.headers));
    const next = (await rotate(id)).json();
    t.equal(next.signing, 'v1a', 'and stays what it is unless it is said');
  });

  await t.test('an overlap of nothing ends all earlier secrets', async (t) => {
    const { id } = await make();
    await rotate(id);
    await rotate(id);
    t.equal(signatures(await sent(id)).length, 3);
    const { secret } = (await rotate(id, { overlapS: 0 })).json();
    const request = await sent(id);
    t.equal(signatures(request).length, 1);
    t.doesNotThrow(() => new Webhook(secret).verify(request.body, request.headers));
  });

  await t.test('no more than five earlier ones sign', async (t) => {
    const { id } = await make();
    for (let i = 0; i < 5; i++) t.equal((await rotate(id)).statusCode, 200);
    const refused = await rotate(id);
    t.match(refused.json(), { status: 409, code: 'too_many_secrets' });
    service.clock.advance(25 * HOUR_MS);
    t.equal((await rotate(id)).statusCode, 200, 'those whose time is over are not counted');
    t.equal(signatures(await sent(id)).length, 2);
  });

  await t.test('a rotation that is repeated by its key is done once', async (t) => {
    const { id } = await make();
    const headers = { 'idempotency-key': 'rotate-once' };
    const first = await service.inject('POST', `${PATH}/${id}/secret/rotate`, { headers });
    const again = await service.inject('POST', `${PATH}/${id}/secret/rotate`, { headers });
    t.equal(again.body, first.body);
    t.equal((await shown(id)).version, 2);
  });
  await deliverer.stop();
});

function isSignedBy(
  publicKey: string,
  { headers, body }: Pick<ReceivedRequest, 'headers' | 'body'>,
): boolean {
  const bytes = Buffer.from(publicKey.slice('whpk_'.length), 'base64');
  const key = createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' });
  const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  return (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((one) => one.startsWith('v1a,'))
    .some((one) => verify(null, content, key, Buffer.from(one.slice('v1a,'.length), 'base64')));
}
