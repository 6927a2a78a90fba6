import t from 'tap';
import { validate, version } from 'uuid';
import { newId } from '../src/ids.js';

t.test('ids are UUIDv7, each later than the one before, and no two are alike', async (t) => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, () => newId());
  const after = Date.now();
  t.ok(ids.every((id) => validate(id) && version(id) === 7));
  t.same(ids.toSorted(), ids);
  t.equal(new Set(ids).size, ids.length);
  // What is not time or counter is drawn anew for each.
  t.equal(new Set(ids.map((id) => id.slice(-10))).size, ids.length);
  const timeOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  t.ok(timeOf(ids[0] ?? '') >= before && timeOf(ids.at(-1) ?? '') <= after);
});
