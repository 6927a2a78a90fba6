// The ecommerce template, and who may be moved where.

import t from 'tap';
import { permittedMoves, STAGE_KINDS, stageKind } from '../../src/lifecycle/stages.js';
import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';

const { ecommerce } = LIFECYCLE_TEMPLATES;

t.test('the ecommerce lifecycle has five stages, in order, in both languages', async (t) => {
  t.same(
    ecommerce.stages.map(({ key, labels, kind }) => [key, labels.en, labels.zh, kind]),
    [
      ['prospect', 'Prospect', '潜在客户期', 'prospect'],
      ['new', 'New', '新客户期', 'active'],
      ['mature', 'Mature', '成熟期', 'active'],
      ['declining', 'Declining', '退化期', 'declining'],
      ['churned', 'Churned', '流失期', 'churned'],
    ],
  );
});

t.test(
  'every template is sound: known kinds, moves between its own stages, each stage with its moves',
  async (t) => {
    for (const lifecycle of Object.values(LIFECYCLE_TEMPLATES)) {
      const keys = lifecycle.stages.map((stage) => stage.key);
      t.same(lifecycle.moves.map((move) => move.from).sort(), [...keys].sort());
      t.equal(new Set(keys).size, keys.length);
      for (const stage of lifecycle.stages) t.ok(STAGE_KINDS.includes(stage.kind));
      for (const target of lifecycle.moves.flatMap((move) => move.to)) t.ok(keys.includes(target));
      for (const key of lifecycle.closedOnceOrdered) t.ok(keys.includes(key));
    }
  },
);

t.test('a person may move a customer anywhere, but not into prospect once an order counts', async (t) => {
  const table: [from: string, hasOrders: boolean, permitted: string[]][] = [
    ['prospect', false, ['prospect', 'churned']],
    ['prospect', true, ['prospect', 'churned']],
    ['new', false, ['prospect', 'new', 'mature', 'declining', 'churned']],
    ['new', true, ['new', 'mature', 'declining', 'churned']],
    ['mature', true, ['new', 'mature', 'declining', 'churned']],
    ['declining', true, ['new', 'mature', 'declining', 'churned']],
    ['churned', true, ['new', 'mature', 'declining', 'churned']],
    ['churned', false, ['prospect', 'new', 'mature', 'declining', 'churned']],
    ['a stage of long ago', true, []],
  ];
  for (const [from, hasOrders, permitted] of table) {
    t.same(
      permittedMoves(ecommerce, from, hasOrders),
      permitted,
      `from ${from}, ${hasOrders ? 'with' : 'without'} orders`,
    );
  }
});

t.test('a stage that the lifecycle does not know has no kind', async (t) => {
  t.equal(stageKind(ecommerce, 'mature'), 'active');
  t.equal(stageKind(ecommerce, 'gone'), undefined);
  t.equal(stageKind(ecommerce, null), undefined);
});
