// What a row of the ledger is called.

import t from 'tap';
import {
  particularType,
  replay,
  TRANSITION_CAUSES,
  type Transition,
  type TransitionCause,
} from '../../src/lifecycle/replay.js';
import { LIFECYCLE_TEMPLATES } from '../../src/lifecycle/templates.js';
import { at, historyOf, policiesFrom, silencePolicy } from './samples.js';

const timeline = policiesFrom(silencePolicy(45, 91));

t.test('a transition has a particular type by the kinds that it goes between', async (t) => {
  const table: [from: string | null, to: string, cause: TransitionCause, type: string | null][] = [
    ['mature', 'declining', 'time', 'declining'],
    ['churned', 'declining', 'manual', 'declining'],
    ['declining', 'churned', 'time', 'churned'],
    ['prospect', 'churned', 'manual', 'churned'],
    [null, 'churned', 'manual', 'churned'],
    ['declining', 'mature', 'order', 'recovered'],
    ['declining', 'mature', 'manual', null],
    ['declining', 'mature', 'policy', null],
    ['churned', 'new', 'order', 'reactivated'],
    ['churned', 'mature', 'order', 'reactivated'],
    ['churned', 'mature', 'manual', null],
    ['prospect', 'new', 'order', null],
    ['new', 'mature', 'order', null],
    [null, 'new', 'order', null],
    ['vip', 'declining', 'time', 'declining'],
    ['declining', 'vip', 'order', null],
  ];
  const { transitions } = replay(historyOf('2024-01-10'), timeline, at('2024-01-10'));
  const [sample] = transitions;
  for (const [from, to, cause, type] of table) {
    const transition = { ...sample, from, to, cause } as Transition;
    t.equal(particularType(transition, LIFECYCLE_TEMPLATES.ecommerce), type, `${from} → ${to} by ${cause}`);
    t.ok(TRANSITION_CAUSES.includes(cause));
  }
});

t.test('from one stage to another of the same kind is nothing particular', async (t) => {
  const { ecommerce } = LIFECYCLE_TEMPLATES;
  const fading = { key: 'fading', labels: { en: 'Fading', zh: '衰退期' }, kind: 'declining' as const };
  const lifecycle = { ...ecommerce, stages: [...ecommerce.stages, fading] };
  const [sample] = replay(historyOf('2024-01-10'), timeline, at('2024-01-10')).transitions;
  const transition = { ...sample, from: 'fading', to: 'declining', cause: 'time' } as Transition;
  t.equal(particularType(transition, lifecycle), null);
});
