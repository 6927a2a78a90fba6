// Owns what filters can ask of an event, which is read from its own text: so a replay judges an event as it was
// judged when it happened. Does not own the filters (filters/) nor what events hold (payloads.ts).

import type { FilterFacts } from '../filters/fields.js';

/**
 * Where each fact stands in an event's text; the first place that is there counts. The stage that an event
 * tells of is the one that its transition leads to: a tick may tell of several, and the customer's own is then
 * the last of them.
 */
const PLACES: Record<keyof FilterFacts, readonly string[]> = {
  stage: ['data.transition.to', 'data.customer.stage'],
  previousStage: ['data.transition.from'],
  kind: ['data.customer.kind'],
  country: ['data.customer.country'],
  channel: ['data.customer.channel'],
  owner: ['data.customer.owner'],
  tag: ['data.customer.tags'],
  currency: ['data.order.currency'],
  amountMinor: ['data.order.amountMinor'],
  attributes: ['data.customer.attributes'],
};

export function factsOfBody(body: string): FilterFacts {
  const event: unknown = JSON.parse(body);
  const facts: Record<string, unknown> = {};
  for (const [name, places] of Object.entries(PLACES)) {
    const found = places.map((place) => at(event, place.split('.'))).find((value) => value !== undefined);
    if (found !== undefined && found !== null) facts[name] = found;
  }
  return facts;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (holder, name) =>
      typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
        ? (holder as Record<string, unknown>)[name]
        : undefined,
    value,
  );
}

/** The same in SQL, as jsonb. The text is read once: without the fence, once for each place. */
export function FACTS_SQL(body: string): string {
  const pairs = Object.entries(PLACES).map(([name, places]) => {
    return `'${name}', coalesce(${places.map((place) => `b #> '{${place.replaceAll('.', ',')}}'`).join(', ')})`;
  });
  return `(SELECT jsonb_strip_nulls(jsonb_build_object(${pairs.join(', ')}))
             FROM (SELECT ${body}::jsonb AS b OFFSET 0) read)`;
}
