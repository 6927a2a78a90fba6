// Local days over changes of clocks, and instants as text.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { DAY_MS, INSTANT_MAX, isoInstant, isTimeZone, localDay } from '../../src/lifecycle/calendar.js';

const day = (date: string) => Date.parse(`${date}T00:00Z`) / DAY_MS;

t.test('a local day begins and ends at local midnight, when clocks change too', async (t) => {
  const table: [zone: string, instant: string, date: string][] = [
    ['UTC', '2024-02-29T23:59:59.999Z', '2024-02-29'],
    ['UTC', '1969-12-31T23:59:59.999Z', '1969-12-31'],
    ['Asia/Shanghai', '2024-05-01T15:59:59.999Z', '2024-05-01'],
    ['Asia/Shanghai', '2024-05-01T16:00:00.000Z', '2024-05-02'],
    // 2024-03-31: 23 hours in Berlin.
    ['Europe/Berlin', '2024-03-30T22:59:59.999Z', '2024-03-30'],
    ['Europe/Berlin', '2024-03-30T23:00:00.000Z', '2024-03-31'],
    ['Europe/Berlin', '2024-03-31T21:59:59.999Z', '2024-03-31'],
    ['Europe/Berlin', '2024-03-31T22:00:00.000Z', '2024-04-01'],
    // 2024-10-27: 25 hours in Berlin.
    ['Europe/Berlin', '2024-10-26T22:00:00.000Z', '2024-10-27'],
    ['Europe/Berlin', '2024-10-27T22:59:59.999Z', '2024-10-27'],
    ['Europe/Berlin', '2024-10-27T23:00:00.000Z', '2024-10-28'],
    // Clocks went forward at midnight: the day began at one o'clock.
    ['America/Sao_Paulo', '2018-11-04T02:59:59.999Z', '2018-11-03'],
    ['America/Sao_Paulo', '2018-11-04T03:00:00.000Z', '2018-11-04'],
    // Samoa left out 2011-12-30.
    ['Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29'],
    ['Pacific/Apia', '2011-12-30T10:00:00.000Z', '2011-12-31'],
    ['Asia/Kathmandu', '2024-01-01T18:14:59.999Z', '2024-01-01'],
    ['Asia/Kathmandu', '2024-01-01T18:15:00.000Z', '2024-01-02'],
  ];
  for (const [zone, instant, date] of table) {
    t.equal(localDay(Date.parse(instant), zone), day(date), `${instant} in ${zone}`);
  }
});

t.test('a local day is the one that Intl writes, at any instant in any zone', async (t) => {
  const zones = [
    'America/New_York',
    'Europe/Dublin',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'America/St_Johns',
  ];
  const formats = zones.map((timeZone) => new Intl.DateTimeFormat('en-CA', { timeZone }));
  const instants = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2040, 0, 1) });
  fc.assert(
    fc.property(fc.nat({ max: zones.length - 1 }), instants, (zone, at) => {
      assert.equal(localDay(at, zones[zone] ?? ''), day(formats[zone]?.format(at) ?? ''));
    }),
    { numRuns: 3_000 },
  );
  t.pass('held in every run');
});

t.test('unknown zones are seen, and counted as UTC where they turn up all the same', async (t) => {
  for (const known of ['UTC', 'Asia/Shanghai', 'America/Argentina/Ushuaia', 'Etc/GMT+5'])
    t.ok(isTimeZone(known));
  for (const unknown of ['', 'Mars/Olympus', 'Europe', 'Europe/Berlin '])
    t.notOk(isTimeZone(unknown), unknown);
  t.equal(localDay(Date.UTC(2024, 0, 1, 23), 'Mars/Olympus'), day('2024-01-01'));
});

t.test('an instant is written as Date writes it', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: -DAY_MS * 400, max: INSTANT_MAX }), (at) => {
      assert.equal(isoInstant(at), new Date(at).toISOString());
    }),
    { numRuns: 3_000 },
  );
  for (const at of [0, DAY_MS - 1, DAY_MS, Date.UTC(2024, 1, 29, 12, 34, 56, 789), INSTANT_MAX]) {
    t.equal(isoInstant(at), new Date(at).toISOString());
  }
  t.equal(isoInstant(null), null);
});
