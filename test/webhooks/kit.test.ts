// What the README tells receivers to write is run as it stands there, against webhooks that were really delivered.

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as moment } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { freePort } from '../helpers/door.js';
import type { ReceivedRequest } from '../helpers/receiver.js';
import { openPartner, SECRET, untilReceived } from './partner.js';
import { samplesOf } from './readme.js';

t.setTimeout(120_000);

interface Sample {
  url: string;
  /** What it has printed, line by line. */
  lines: () => string[];
  until(isEnough: (lines: string[]) => boolean): Promise<void>;
}

async function runSample(t: Test, code: string): Promise<Sample> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { PATH: process.env.PATH, WEBHOOK_SECRET: SECRET, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  t.teardown(() => {
    child.kill('SIGKILL');
    return closed;
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const lines = () => output.split('\n').filter((line) => line !== '');
  const url = `http://127.0.0.1:${port}`;
  await untilListening(url, child);
  return {
    url,
    lines,
    async until(isEnough) {
      while (!isEnough(lines())) {
        if (child.exitCode !== null) throw new Error(`the sample ended: ${output}`);
        await moment(10);
      }
    },
  };
}

async function untilListening(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error('the sample ended before it listened');
    const isUp = await fetch(url, { method: 'POST' }).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await moment(20);
  }
}

/** The signed headers alone, as a sender would set them. */
function signedHeaders({ headers }: ReceivedRequest, changed: Record<string, string> = {}) {
  const names = ['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
  return { ...Object.fromEntries(names.map((name) => [name, headers[name] ?? ''])), ...changed };
}

t.test('receivers', async (t) => {
  const partner = await openPartner(t);

  await t.test('the README’s receiver takes what is delivered, once, and nothing else', async (t) => {
    const [code = ''] = samplesOf('js');
    t.match(code, /standardwebhooks/);
    const sample = await runSample(t, code);
    const eventTypes = ['order.recorded'];
    const toSample = { url: `${sample.url}/hook`, eventTypes, secret: SECRET };
    const { id: endpointId } = await partner.post<{ id: string }>('/v1/webhook-endpoints', toSample);
    // The same goes to a receiver of the test's, which thereby has a signed request in its hands.
    await partner.post('/v1/webhook-endpoints', { ...toSample, url: partner.receiver.url });
    await partner.order('ada');
    const [request] = await untilReceived(partner.receiver, 'order.recorded');
    if (request === undefined) throw new Error('nothing was received');
    const id = request.headers['webhook-id'] ?? '';
    await sample.until((lines) => lines.length > 0);
    t.same(sample.lines(), [`order.recorded ${id}`]);
    await untilSucceeded(endpointId);

    const send = async (headers: Record<string, string>, body = request.body) =>
      (await fetch(sample.url, { method: 'POST', headers, body })).status;
    t.equal(await send(signedHeaders(request)), 204, 'the same again is taken, and is no news');
    t.equal(await send(signedHeaders(request), request.body.replace('EUR', 'USD')), 401);
    t.equal(await send(signedHeaders(request, { 'webhook-id': 'another' })), 401);
    t.equal(await send({}), 401);
    const signedAt = (secret: string, offsetS: number) => {
      const at = new Date((Math.floor(Date.now() / 1_000) + offsetS) * 1_000);
      const signature = new Webhook(secret).sign(id, at, request.body);
      const timestamp = String(at.getTime() / 1_000);
      return signedHeaders(request, { 'webhook-timestamp': timestamp, 'webhook-signature': signature });
    };
    t.equal(await send(signedAt(SECRET, 0)), 204, 'as it is signed here, it is believed');
    // A few seconds more than the five minutes: the sample's clock goes on until it looks.
    for (const offsetS of [-301, 310]) t.equal(await send(signedAt(SECRET, offsetS)), 401, `${offsetS} s`);
    const wrong = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    t.equal(await send(signedAt(wrong, 0)), 401, 'another secret');
    t.same(sample.lines(), [`order.recorded ${id}`], 'one event, taken once');
  });

  async function untilSucceeded(endpointId: string): Promise<void> {
    for (;;) {
      const { data } = await partner.get<{ data: { status: string; attemptCount: number }[] }>(
        `/v1/webhook-endpoints/${endpointId}/deliveries`,
      );
      if (data[0]?.status === 'succeeded' && data[0].attemptCount === 1) return;
      await moment(20);
    }
  }

  await t.test(
    'its way to verify v1a believes what the endpoint’s public key signed, and nothing else',
    async (t) => {
      const [, code = ''] = samplesOf('js');
      const module = `data:text/javascript,${encodeURIComponent(`${code}\nexport { isFrom };`)}`;
      const { isFrom } = (await import(module)) as {
        isFrom: (publicKey: string, headers: Record<string, string>, body: string) => boolean;
      };
      const { publicKey } = await partner.post<{ publicKey: string }>('/v1/webhook-endpoints', {
        url: `${partner.receiver.url}/v1a`,
        eventTypes: ['touchpoint.recorded'],
        signing: 'v1a',
      });
      await partner.post('/v1/touchpoints', {
        customer: 'ext:shop:ada',
        kind: 'call',
        direction: 'inbound',
        channel: 'phone',
      });
      const [request] = await untilReceived(partner.receiver, 'touchpoint.recorded');
      if (request === undefined) throw new Error('nothing was received');
      const { headers, body } = request;
      t.match(headers['webhook-signature'], /^v1a,[A-Za-z0-9+/]{86}==$/);
      t.ok(isFrom(publicKey, headers, body));
      t.notOk(isFrom(publicKey, headers, `${body} `));
      t.notOk(isFrom(publicKey, { ...headers, 'webhook-id': 'another' }, body));
      t.notOk(isFrom(anotherKey(), headers, body), 'another key');
      const sentMs = Number(headers['webhook-timestamp']) * 1_000;
      for (const [offsetS, isBelieved] of [
        [-301, false],
        [-300, true],
        [300, true],
        [301, false],
      ] as const) {
        t.intercept(Date, 'now', { value: () => sentMs + offsetS * 1_000 });
        t.equal(isFrom(publicKey, headers, body), isBelieved, `${offsetS} s`);
      }
    },
  );
});

function anotherKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return `whpk_${Buffer.from(x, 'base64url').toString('base64')}`;
}
