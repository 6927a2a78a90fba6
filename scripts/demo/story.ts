// Owns the three customers whose histories the demo explains: which ones, and their ledger in sentences. Does not
// own the ledger, which has all that is told here.

import type { CustomerProfile } from '../../src/customers/profile-schemas.js';
import type { Evidence } from '../../src/lifecycle/decide.js';
import type { ConditionEvidence } from '../../src/lifecycle/predicates.js';
import type { Transition } from '../../src/transitions/schemas.js';
import type { Api } from '../api-client.js';
import type { Person } from './outcome.js';
import { NAMESPACE } from './simulation.js';

interface Part {
  title: string;
  plays: (person: Person) => boolean;
  /** Of all who could play it, whoever has most of this. */
  best: (person: Person) => number;
}

const hasMove = ({ history }: Person, from: string, to: string) =>
  history.some((row) => row.from === from && row.to === to);

/** Short enough to be read; the ledger holds longer ones. */
const ROWS_MAX = 7;

const CAST: readonly Part[] = [
  {
    title: 'One who left',
    plays: ({ stage, history, ordersAfter }) =>
      stage === 'churned' && ordersAfter === 0 && history.length <= ROWS_MAX,
    best: ({ ordersBefore }) => ordersBefore,
  },
  {
    title: 'One who came back',
    plays: (person) =>
      person.stage === 'mature' && hasMove(person, 'churned', 'mature') && person.history.length <= ROWS_MAX,
    best: ({ ordersBefore, ordersAfter }) => ordersBefore + ordersAfter,
  },
  {
    title: 'One who is loyal',
    plays: (person) =>
      person.stage === 'mature' && person.history.every(({ to }) => to === 'new' || to === 'mature'),
    best: ({ ordersBefore }) => ordersBefore,
  },
];

export async function tellStories(api: Api, people: readonly Person[]): Promise<string[]> {
  const stories = CAST.flatMap((part) => {
    const person = choose(people, part);
    return person === undefined ? [] : [tell(api, part, person)];
  });
  return ['', 'Three histories, as the API explains them', ...(await Promise.all(stories)).flat()];
}

function choose(people: readonly Person[], { plays, best }: Part): Person | undefined {
  const byRank = (a: Person, b: Person) => best(b) - best(a) || a.name.localeCompare(b.name);
  return people.filter(plays).sort(byRank)[0];
}

async function tell(api: Api, { title }: Part, person: Person): Promise<string[]> {
  const path = `/v1/customers/ext:${NAMESPACE}:${person.name}`;
  const profile = await api.get<CustomerProfile>(path);
  const history = (await api.list<Transition>(`${path}/transitions`)).reverse();
  const { facts, next } = profile;
  const spend = facts.spend.map(
    ({ currency, amountMinor }) => `${currency} ${(amountMinor / 100).toFixed(2)}`,
  );
  const after = person.ordersAfter === 0 ? 'none' : String(person.ordersAfter);
  return [
    '',
    `  ${title}: customer ${person.name}, ${profile.stage} since ${dayOf(profile.stageSince)}, ` +
      `${facts.orders} orders, ${spend.join(', ')}`,
    ...history.map(tellRow),
    next === null
      ? '    From here on time alone changes nothing.'
      : `    If nothing is bought: ${next.stage} on ${dayOf(next.at)}, ${reason((next.because as Evidence).condition)}.`,
    `    Orders in the 39 weeks after the cut: ${after}.`,
  ];
}

function tellRow({ effectiveAt, from, to, cause, evidence }: Transition): string {
  const { condition, facts } = evidence as Evidence;
  const since =
    condition?.unit === 'days' && facts.lastOrderAt !== null ? ` since ${dayOf(facts.lastOrderAt)}` : '';
  const move = `${from ?? '(first seen)'} → ${to}`;
  return `    ${dayOf(effectiveAt)}  ${move.padEnd(22)} ${`by ${cause}`.padEnd(9)} ${reason(condition)}${since}`;
}

/** A condition's evidence in words. */
function reason(condition: ConditionEvidence | null): string {
  if (condition === null) return 'no rule holds';
  const { of, value, threshold, unit = '' } = condition;
  if (of !== undefined) return of.map(reason).join(', ');
  if (unit === 'days') return `after ${value} silent days (${threshold} allowed)`;
  const name = unit.replace('_', ' ');
  return `${value} ${value === 1 ? name.replace(/s$/, '') : name} (${threshold} needed)`;
}

function dayOf(instant: string): string {
  return instant.slice(0, 10);
}
