import t from 'tap';
import {
  factsBetween,
  newSnapshot,
  normalProfile,
  overwritten,
  patched,
  previousOf,
} from '../../src/customers/profile.js';
import type { CustomerInput, CustomerPatch } from '../../src/customers/schemas.js';
import { InvalidError } from '../../src/errors.js';

const NOW = new Date('2026-03-02T09:00:00.000Z');

function customer(input: CustomerInput) {
  return newSnapshot('018f0000-0000-7000-8000-000000000001', normalProfile(input, null), NOW);
}

function patch(before: CustomerInput, given: CustomerPatch) {
  const snapshot = customer(before);
  return patched(snapshot, normalProfile(given, snapshot.country), given);
}

function faultsOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidError) return error.faults?.map(({ pointer }) => pointer);
    throw error;
  }
  return undefined;
}

t.test('every fault of a profile is named at once', async (t) => {
  const input: CustomerInput = {
    email: 'nobody',
    phone: '123',
    externalIds: [
      { namespace: 'shop', id: '1' },
      { namespace: 'email', id: 'ann@example.com' },
      { namespace: 'shop', id: '1' },
    ],
  };
  const pointers = faultsOf(() => normalProfile(input, null));
  t.strictSame(pointers, ['/externalIds/1/namespace', '/externalIds/2', '/email', '/phone']);
});

t.test(
  'a phone number is read as one of the country that comes with it, or of the one that is there',
  async (t) => {
    t.equal(normalProfile({ phone: '0171 1234567', country: 'DE' }, null).phone, '+491711234567');
    t.equal(patch({ country: 'DE' }, { phone: '0171 1234567' }).phone, '+491711234567');
    t.equal(patch({ country: 'DE' }, { phone: '020 7946 0958', country: 'GB' }).phone, '+442079460958');
    t.strictSame(
      faultsOf(() => patch({ country: 'DE' }, { phone: '0171 1234567', country: null })),
      ['/phone'],
    );
  },
);

t.test('an upsert replaces what is given, keeps the rest, and adds external ids', async (t) => {
  const before = customer({
    name: 'Ann',
    owner: 'kim',
    externalIds: [{ namespace: 'crm', id: '9' }],
    attributes: { size: 'M', vip: true },
  });
  const given: CustomerInput = {
    name: null,
    externalIds: [
      { namespace: 'shop', id: '1' },
      { namespace: 'crm', id: '9' },
    ],
    attributes: { size: 'L' },
  };
  const after = overwritten(before, normalProfile(given, null));
  t.match(after, { name: null, owner: 'kim' });
  t.strictSame(after.attributes, { size: 'L' });
  t.strictSame(after.externalIds, [
    { namespace: 'crm', id: '9' },
    { namespace: 'shop', id: '1' },
  ]);
});

t.test('a merge patch follows RFC 7396', async (t) => {
  const before: CustomerInput = {
    name: 'Ann',
    externalIds: [{ namespace: 'crm', id: '9' }],
    attributes: { size: 'M', vip: true, sports: ['golf', 'chess'], constructor: 'x' },
  };
  t.strictSame(patch(before, {}), customer(before));
  t.equal(patch(before, { name: null }).name, null);
  t.strictSame(patch(before, { attributes: { size: null, sports: ['golf'], shoe: 43 } }).attributes, {
    vip: true,
    sports: ['golf'],
    shoe: 43,
    constructor: 'x',
  });
  t.strictSame(patch(before, { attributes: null }).attributes, {});
  t.strictSame(patch(before, { externalIds: [{ namespace: 'shop', id: '1' }] }).externalIds, [
    { namespace: 'shop', id: '1' },
  ]);
  t.strictSame(patch(before, { externalIds: null }).externalIds, []);
});

t.test('what a change adds up to is bounded, whatever it is made of', async (t) => {
  const ids = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ namespace: 'shop', id: `${from + index}` }));
  const before = customer({ externalIds: ids(0, 15) });
  t.equal(overwritten(before, { externalIds: ids(10, 10) }).externalIds.length, 20);
  t.strictSame(
    faultsOf(() => overwritten(before, { externalIds: ids(10, 11) })),
    ['/externalIds'],
  );
  const attributes = (from: number, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${from + index}`, index]));
  t.equal(
    faultsOf(() => patch({ attributes: attributes(0, 60) }, { attributes: attributes(60, 40) })),
    undefined,
  );
  t.strictSame(
    faultsOf(() => patch({ attributes: attributes(0, 60) }, { attributes: attributes(60, 41) })),
    ['/attributes'],
  );
});

t.test('`previous` holds what differs and nothing else', async (t) => {
  const before = customer({ name: 'Ann', owner: 'kim', attributes: { size: 'M', vip: true, toString: 'x' } });
  t.equal(previousOf(before, { ...before, attributes: { vip: true, size: 'M', toString: 'x' } }), undefined);
  t.strictSame(previousOf(before, { ...before, owner: null }), { owner: 'kim' });
  const attributes = { vip: true, size: 'L', constructor: 1 };
  t.strictSame(previousOf(before, { ...before, attributes }), {
    attributes: { size: 'M', toString: 'x', constructor: null },
  });
  t.strictSame(previousOf(before, { ...before, externalIds: [{ namespace: 'shop', id: '1' }] }), {
    externalIds: [],
  });
});

t.test('external ids in another order are no change', async (t) => {
  const [one, two] = [
    { namespace: 'shop', id: '1' },
    { namespace: 'shop', id: '2' },
  ];
  const before = customer({ externalIds: [one, two] });
  t.equal(previousOf(before, { ...before, externalIds: [two, one] }), undefined);
});

t.test('only what a dated rule can ask for, and what took on another value, is a dated fact', async (t) => {
  const before = customer({
    name: 'Ann',
    country: 'DE',
    channel: 'web',
    tags: ['vip'],
    attributes: { size: 'M', none: null },
  });
  t.strictSame(factsBetween(null, before), [
    { field: 'country', value: 'DE' },
    { field: 'channel', value: 'web' },
    { field: 'tag:vip', value: true },
    { field: 'attributes.size', value: 'M' },
    { field: 'attributes.none', value: null },
  ]);
  t.strictSame(factsBetween(before, { ...before, name: 'Bea' }), []);
  t.strictSame(factsBetween(before, { ...before, channel: null, owner: 'kim', attributes: { none: null } }), [
    { field: 'channel', value: null },
    { field: 'owner', value: 'kim' },
    { field: 'attributes.size', value: null },
  ]);
});
