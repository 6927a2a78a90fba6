// What is said of a policy before it decides: faults that keep it from deciding, and doubts that do not.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { type Desk, done, openDesk, ordered, refusal, rulesOf, silent } from './desk.js';

const shared = await startService(t);

async function findings(desk: Desk, policy: object) {
  const { id } = await desk.draft(policy);
  return done(await desk.ask(id, 'validate')).json();
}

t.test('a sound policy has no faults and no warnings', async (t) => {
  const desk = await openDesk(shared, 'sound');
  t.same(await findings(desk, rulesOf(30, 60)), { valid: true, faults: [], warnings: [] });
  t.equal(done(await desk.ask('live', 'validate')).json().valid, true, 'nor has the one in force a fault');
});

const FAULTS: [name: string, policy: object, pointer: string, detail: RegExp][] = [
  ['a rule behind one that always holds first', rulesOf(60, 30), '/policy/rules/1/when', /can never decide/],
  [
    'a contradiction',
    rulesOf(30, 60, {
      rules: [
        { stage: 'churned', when: { type: 'all', of: [ordered(2), { type: 'not', of: ordered(1) }] } },
        { stage: 'new', when: ordered(1) },
      ],
    }),
    '/policy/rules/0/when/of/1',
    /cannot hold while the policy's \/rules\/0\/when\/of\/0 does/,
  ],
  [
    'a stage that is not there',
    rulesOf(30, 60, { otherwise: 'lead' }),
    '/policy/otherwise',
    /not a stage of/,
  ],
  [
    'a time zone that is not there',
    rulesOf(30, 60, { timeZone: 'Europe/Atlantis' }),
    '/policy/timeZone',
    /zone/,
  ],
];

for (const [name, policy, pointer, detail] of FAULTS) {
  t.test(`${name} is a fault`, async (t) => {
    const desk = await openDesk(shared, `fault-${FAULTS.findIndex((fault) => fault[0] === name)}`);
    const { valid, faults } = await findings(desk, policy);
    t.equal(valid, false);
    t.equal(faults[0].pointer, pointer);
    t.match(faults[0].detail, detail);
  });
}

async function warned(desk: Desk, policy: object): Promise<[string, string][]> {
  const { valid, warnings } = await findings(desk, policy);
  if (!valid) throw new Error('the policy has faults');
  return warnings.map(({ pointer, detail }: { pointer: string; detail: string }) => [pointer, detail]);
}

/** The template's own lifecycle with another stage in it, into which `from` may be moved. */
async function withStage({ service }: Desk, key: string, from: string[]) {
  const { lifecycle } = done(await service.inject('GET', '/v1/lifecycle-templates/ecommerce')).json();
  const stage = { key, labels: { en: 'Fan', zh: '粉丝' }, kind: 'active' };
  const move = (each: { from: string; to: string[] }) =>
    from.includes(each.from) ? { ...each, to: [...each.to, key] } : each;
  return { ...lifecycle, stages: [...lifecycle.stages, stage], moves: lifecycle.moves.map(move) };
}

t.test('stages that no rule leads to are named, and whether a person can', async (t) => {
  const desk = await openDesk(shared, 'unreachable');
  const nobody = { lifecycle: await withStage(desk, 'fan', []) };
  t.match(await warned(desk, rulesOf(30, 60, nobody)), [['/policy/lifecycle/stages/5', /fan.*nothing can/]]);
  const somebody = { lifecycle: await withStage(desk, 'fan', ['mature']) };
  t.match(await warned(desk, rulesOf(30, 60, somebody)), [
    ['/policy/lifecycle/stages/5', /fan.*only a person/],
  ]);
});

t.test('a rule that always holds leaves nobody for the rest', async (t) => {
  const desk = await openDesk(shared, 'certain');
  const always = { type: 'any', of: [ordered(1), { type: 'not', of: ordered(1) }] };
  const rules = [
    { stage: 'churned', when: silent(30) },
    { stage: 'new', when: always },
  ];
  const warnings = await warned(desk, rulesOf(30, 60, { rules }));
  t.ok(
    warnings.some(([pointer, detail]) => pointer === '/policy/rules/1/when' && /always holds/.test(detail)),
  );
});

t.test('a policy that reads the cadence of a tenant that has none of its own is told so', async (t) => {
  const desk = await openDesk(shared, 'cadence');
  const rules = [
    { stage: 'churned', when: { type: 'cadenceQuantile', q: 0.9 } },
    ...rulesOf(30, 60).rules.slice(1),
  ];
  const warnings = await warned(desk, rulesOf(30, 60, { rules }));
  t.match(warnings, [['/policy/rules/0/when', /cadence/]]);
});

t.test('rules that need a model the tenant has not got are refused until it has', async (t) => {
  const desk = await openDesk(shared, 'model');
  const when = { type: 'orderProbability', model: 'mbg', withinDays: 180, below: 0.25 };
  const policy = rulesOf(30, 60, { rules: [{ stage: 'churned', when }, ...rulesOf(30, 60).rules.slice(1)] });
  const { valid, faults } = await findings(desk, policy);
  t.equal(valid, false);
  t.match(faults, [{ pointer: '/policy/rules/0/when/model', detail: /no mbg fit/ }]);
  const { id } = await desk.draft(policy);
  for (const step of ['activate', 'shadow', 'previews']) {
    t.same(refusal(await desk.ask(id, step)), [409, 'policy_not_sound'], step);
  }
  const put = await desk.service.inject('PUT', '/v1/policies/live', { body: { policy } });
  t.same(refusal(put), [400, 'invalid_policy']);
  t.equal(put.json().errors[0].pointer, '/policy/rules/0/when/model');
});

t.test('stages of moves, of what is closed and of the carry-over have to be there', async (t) => {
  const desk = await openDesk(shared, 'graph');
  const lifecycle = await withStage(desk, 'fan', ['mature']);
  const broken = {
    ...{ ...lifecycle, closedOnceOrdered: ['lead'] },
    moves: [...lifecycle.moves, { from: 'fan', to: ['lost'] }],
  };
  const { faults } = await findings(desk, rulesOf(30, 60, { lifecycle: broken, carryOver: { old: 'gone' } }));
  t.same(
    faults.map(({ pointer }: { pointer: string }) => pointer),
    ['/policy/lifecycle/moves/5/to/0', '/policy/lifecycle/closedOnceOrdered/0', '/policy/carryOver/old'],
  );
});

t.test('held customers whose stage goes, and mappings that carry nobody over, are told of', async (t) => {
  const desk = await openDesk(shared, 'carried');
  const banking = done(await desk.service.inject('GET', '/v1/lifecycle-templates/banking')).json().policy;
  const all = await warned(desk, { ...banking, carryOver: { lead: 'potential' } });
  const stranded = all.filter(([, detail]) => detail.includes('holds in')).map(([, detail]) => detail);
  t.equal(stranded.length, 3, 'prospect, new, churned: mature and declining are in both');
  t.ok(all.some(([pointer, detail]) => pointer === '/policy/carryOver/lead' && /nobody/.test(detail)));
  const carryOver = { prospect: 'potential', new: 'developing', churned: 'terminated' };
  const carried = await warned(desk, { ...banking, carryOver });
  t.notOk(carried.some(([, detail]) => detail.includes('holds in')));
});

t.test('another time zone is told of', async (t) => {
  const desk = await openDesk(shared, 'zone');
  t.match(await warned(desk, rulesOf(30, 60, { timeZone: 'Asia/Shanghai' })), [
    ['/policy/timeZone', /replayed/],
  ]);
});
