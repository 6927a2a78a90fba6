// Ways to spoil a good body: one fault, somewhere in it.

import fc from 'fast-check';
import { FIELDS, JUNK } from './junk.js';

type Fault =
  | { do: 'replace' | 'nest' | 'repeat'; junk: unknown }
  | { do: 'remove' }
  | { do: 'add'; field: string; junk: unknown };

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ do: fc.constant('replace' as const), junk: fc.constantFrom(...JUNK) }),
  fc.record({
    do: fc.constant('add' as const),
    field: fc.constantFrom(...FIELDS),
    junk: fc.constantFrom(...JUNK),
  }),
  fc.record({ do: fc.constant('remove' as const) }),
  fc.record({ do: fc.constantFrom('nest' as const, 'repeat' as const), junk: fc.constant(null) }),
);

/** The same value with one fault somewhere in it. */
export function spoiled(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, fc.nat(), fault).map(([good, pick, wrong]) => {
    const places = placesIn(good, []);
    return changed(good, places[pick % places.length] ?? [], wrong);
  });
}

type Path = readonly (string | number)[];

function placesIn(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => placesIn(item, [...path, index]))
    : Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]));
  return [path, ...inner];
}

function changed(value: unknown, [key, ...rest]: Path, wrong: Fault): unknown {
  if (key === undefined) return spoil(value, wrong);
  if (Array.isArray(value)) {
    if (rest.length === 0 && wrong.do === 'remove') return value.filter((_, index) => index !== key);
    return value.map((item, index) => (index === key ? changed(item, rest, wrong) : item));
  }
  const entries = Object.entries(value as object);
  if (rest.length === 0 && wrong.do === 'remove')
    return Object.fromEntries(entries.filter(([name]) => name !== key));
  return Object.fromEntries(
    entries.map(([name, part]) => [name, name === key ? changed(part, rest, wrong) : part]),
  );
}

function spoil(value: unknown, wrong: Fault): unknown {
  switch (wrong.do) {
    case 'replace':
      return wrong.junk;
    case 'remove':
      return undefined;
    case 'nest':
      return [value];
    case 'repeat':
      return [value, value];
    case 'add':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { ...value, [wrong.field]: wrong.junk }
        : wrong.junk;
  }
}
