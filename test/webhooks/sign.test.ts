import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { newSecretKey, publicKeyOf } from '../../src/webhooks/ed25519.js';
import {
  isReservedHeader,
  newSecret,
  signV1,
  signWith,
  USER_AGENT,
  webhookHeaders,
} from '../../src/webhooks/sign.js';

const BODY = '{"id":"018f","type":"customer.churned","data":{"name":"顾客 É"}}';
const nowS = (): number => Math.floor(Date.now() / 1000);

function isAccepted(secret: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

t.test('the signature is the one that the Standard Webhooks libraries publish as their vector', async (t) => {
  const signature = signV1({
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampS: 1614265330,
    body: '{"test": 2432232314}',
  });
  t.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

t.test('whatever is signed, the receiver’s library verifies, and only with the right secret', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 24, maxLength: 64 }),
      fc.uuid(),
      fc.jsonValue(),
      (bytes, id, value) => {
        const secret = newSecret(bytes);
        const body = JSON.stringify(value);
        const headers = webhookHeaders({ id, timestampS: nowS(), body, secrets: [secret] });
        const other = newSecret(bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte)));
        return isAccepted(secret, body, headers) && !isAccepted(other, body, headers);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a flipped bit of any byte of the body is refused', async (t) => {
  const secret = newSecret(randomBytes(32));
  const headers = webhookHeaders({ id: 'evt', timestampS: nowS(), body: BODY, secrets: [secret] });
  t.ok(isAccepted(secret, BODY, headers), 'as it was sent it is accepted');
  const ascii = [...BODY].findIndex((character) => character.charCodeAt(0) > 127);
  for (let index = 0; index < ascii; index += 1) {
    const bytes = Buffer.from(BODY);
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    t.notOk(isAccepted(secret, bytes.toString(), headers), `byte ${index}`);
  }
});

t.test('another id, another timestamp or a damaged signature is refused', async (t) => {
  const secret = newSecret(randomBytes(24));
  const timestampS = nowS();
  const headers = webhookHeaders({ id: 'evt', timestampS, body: BODY, secrets: [secret] });
  t.notOk(isAccepted(secret, BODY, { ...headers, 'webhook-id': 'evu' }));
  t.notOk(isAccepted(secret, BODY, { ...headers, 'webhook-timestamp': String(timestampS - 1) }));
  const signature = headers['webhook-signature'] ?? '';
  const damaged = signature.slice(0, 5) + (signature[5] === 'A' ? 'B' : 'A') + signature.slice(6);
  t.notOk(isAccepted(secret, BODY, { ...headers, 'webhook-signature': damaged }));
});

t.test(
  'a timestamp 301 seconds off is refused, on either side, and one 300 seconds off is not',
  async (t) => {
    // The library reads the wall clock: it stands still, or 301 s could be 300 s by the time it looks.
    t.intercept(Date, 'now', { value: () => 1_790_000_000_999 });
    const secret = newSecret(randomBytes(24));
    for (const offsetS of [-301, -300, 0, 300, 301]) {
      const timestampS = 1_790_000_000 + offsetS;
      const headers = webhookHeaders({ id: 'evt', timestampS, body: BODY, secrets: [secret] });
      t.equal(isAccepted(secret, BODY, headers), Math.abs(offsetS) <= 300, `${offsetS} s`);
    }
  },
);

t.test('while a secret rotates, a receiver that holds either of the two accepts', async (t) => {
  const [fresh, old, wrong] = [randomBytes(32), randomBytes(24), randomBytes(32)].map(newSecret);
  const secrets = [fresh ?? '', old ?? ''];
  const headers = webhookHeaders({ id: 'evt', timestampS: nowS(), body: BODY, secrets });
  t.equal(headers['webhook-signature']?.split(' ').length, 2);
  for (const secret of secrets) t.ok(isAccepted(secret, BODY, headers));
  t.notOk(isAccepted(wrong ?? '', BODY, headers));
});

t.test('the headers are those of the standard, and no custom header can replace them', async (t) => {
  const secret = newSecret(randomBytes(24));
  const input = { id: 'evt', timestampS: 1_700_000_000, body: BODY, secrets: [secret] };
  const extra = {
    'X-Team': 'retention',
    'Webhook-Id': 'forged',
    'WEBHOOK-SIGNATURE': 'forged',
    'Content-Type': 'text/plain',
    Host: 'elsewhere.example',
    'Transfer-Encoding': 'chunked',
    'X-Forwarded-For': '10.0.0.1',
    'Proxy-Authorization': 'Basic Zm9v',
  };
  const headers = webhookHeaders({ ...input, extra });
  t.strictSame(headers, { ...webhookHeaders(input), 'x-team': 'retention' });
  t.match(headers, {
    'webhook-id': 'evt',
    'webhook-timestamp': '1700000000',
    'webhook-signature': /^v1,[A-Za-z0-9+/]{43}=$/,
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
  });
  for (const name of Object.keys(extra)) t.equal(isReservedHeader(name), name !== 'X-Team', name);
});

t.test('the user agent names the release by major and minor', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.equal(USER_AGENT, `Perennial/${version.split('.').slice(0, 2).join('.')}`);
});

t.test('what cannot be a secret or a signed content is an error, not a signature', async (t) => {
  const good = { secret: newSecret(randomBytes(24)), id: 'evt', timestampS: 1, body: '' };
  for (const length of [0, 23, 65]) t.throws(() => newSecret(randomBytes(length)), RangeError);
  const tooShort = `whsec_${randomBytes(23).toString('base64')}`;
  const malformed = `whsec_${'!'.repeat(40)}`;
  for (const secret of ['', 'whsec_', good.secret.slice(6), `${good.secret} `, tooShort, malformed]) {
    t.throws(() => signV1({ ...good, secret }), RangeError, JSON.stringify(secret));
  }
  for (const timestampS of [1.5, Number.NaN]) t.throws(() => signV1({ ...good, timestampS }), RangeError);
  t.throws(() => signV1({ ...good, id: 'a.1' }), RangeError);
  t.throws(() => webhookHeaders({ id: 'evt', timestampS: 1, body: '', secrets: [] }), RangeError);
});

t.test('a secret key signs v1a, beside the secrets that sign v1', async (t) => {
  const seed = new Uint8Array(32).fill(7);
  const secretKey = newSecretKey(seed);
  const publicKey = publicKeyOf(secretKey);
  const content = { id: 'evt', timestampS: 1_700_000_000, body: BODY };
  const [first, second] = [newSecret(randomBytes(32)), secretKey];
  const headers = webhookHeaders({ ...content, secrets: [first, second] });
  const [v1 = '', v1a = ''] = (headers['webhook-signature'] ?? '').split(' ');
  t.equal(v1, signV1({ ...content, secret: first }));
  t.match(v1a, /^v1a,[A-Za-z0-9+/]{86}==$/);
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(publicKey.slice('whpk_'.length), 'base64'),
  ]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const isSigned = (text: string) =>
    verify(null, Buffer.from(text), key, Buffer.from(v1a.slice('v1a,'.length), 'base64'));
  t.ok(isSigned(`evt.1700000000.${BODY}`));
  t.notOk(isSigned(`evt.1700000001.${BODY}`));
  t.equal(signWith({ ...content, secret: secretKey }), v1a, 'the same each time');
  t.throws(() => newSecretKey(new Uint8Array(31)), RangeError);
  t.throws(() => signWith({ ...content, secret: 'whsk_AAAA' }), RangeError);
  t.throws(() => signWith({ ...content, id: 'a.b', secret: secretKey }), RangeError);
});
