// Owns the passage from instants (epoch milliseconds) to days, local business days, and ISO text. Reads no
// clock: every instant is given.

export const DAY_MS = 86_400_000;

/** The last instant that ISO text writes with a four-digit year; a due time beyond it never comes. */
export const INSTANT_MAX = 253_402_300_799_999;

/** Offsets are remembered by windows of four days: short enough that no zone changes its clocks twice in one. */
const WINDOW_MS = 4 * DAY_MS;
/** Some 45 years of windows for a zone, and every zone that the users of one process are likely to have. */
const WINDOWS_MAX = 4_096;
const ZONES_MAX = 256;

/** The offset before `changesAt` and from it on; the two are the same where the window has no change. */
interface OffsetWindow {
  beforeMs: number;
  afterMs: number;
  changesAt: number;
}

interface ZoneClock {
  format: Intl.DateTimeFormat | null;
  windows: Map<number, OffsetWindow>;
}

const zones = new Map<string, ZoneClock>();

/**
 * The number of the local calendar day (days since 1970-01-01 on the zone's own calendar) at an instant.
 * A zone that this machine does not know counts as UTC: validation refuses such a policy, and a history
 * must still be readable after a move to a machine with older zone data.
 */
export function localDay(at: number, timeZone: string): number {
  if (timeZone === 'UTC') return Math.floor(at / DAY_MS);
  return Math.floor((at + offsetMs(at, timeZone)) / DAY_MS);
}

/** Whether this machine knows the IANA time zone. */
export function isTimeZone(name: string): boolean {
  return openFormat(name) !== null;
}

/** Some eleven years of days; a day beyond takes the place of another. */
const DATES_MAX = 4_096;
const dateDays = new Int32Array(DATES_MAX).fill(-1);
const dateTexts = new Array<string>(DATES_MAX).fill('');
const digits = (n: number, width: number) => String(n).padStart(width, '0');
const MINUTES = Array.from(
  { length: 1_440 },
  (_, n) => `T${digits(Math.floor(n / 60), 2)}:${digits(n % 60, 2)}:`,
);
const SECONDS = Array.from({ length: 60 }, (_, n) => digits(n, 2));
const MILLISECONDS = Array.from({ length: 1_000 }, (_, n) => `.${digits(n, 3)}Z`);

/**
 * An instant as RFC 3339 text in UTC with milliseconds, null if there is none. The same text as
 * Date.toISOString, put together from tables: that took a third of the time of a replay that explains itself.
 */
export function isoInstant(at: number): string;
export function isoInstant(at: number | null): string | null;
export function isoInstant(at: number | null): string | null {
  if (at === null) return null;
  if (at < 0 || at > INSTANT_MAX) return new Date(at).toISOString();
  const day = Math.floor(at / DAY_MS);
  const ms = at - day * DAY_MS;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const time = `${MINUTES[minutes]}${SECONDS[seconds - minutes * 60]}${MILLISECONDS[ms - seconds * 1000]}`;
  return isoDate(day) + time;
}

function isoDate(day: number): string {
  const slot = day % DATES_MAX;
  if (dateDays[slot] !== day) {
    dateDays[slot] = day;
    dateTexts[slot] = new Date(day * DAY_MS).toISOString().slice(0, 10);
  }
  return dateTexts[slot] ?? '';
}

function offsetMs(at: number, timeZone: string): number {
  const clock = zones.get(timeZone) ?? openZone(timeZone);
  if (clock.format === null) return 0;
  const key = Math.floor(at / WINDOW_MS);
  const window = clock.windows.get(key) ?? openWindow(clock, clock.format, key);
  return at < window.changesAt ? window.beforeMs : window.afterMs;
}

function openZone(timeZone: string): ZoneClock {
  // Dropping all is enough of a policy for a cache that is not expected to fill.
  if (zones.size >= ZONES_MAX) zones.clear();
  const clock = { format: openFormat(timeZone), windows: new Map<number, OffsetWindow>() };
  zones.set(timeZone, clock);
  return clock;
}

function openFormat(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
}

function openWindow(clock: ZoneClock, format: Intl.DateTimeFormat, key: number): OffsetWindow {
  if (clock.windows.size >= WINDOWS_MAX) clock.windows.clear();
  let low = key * WINDOW_MS;
  let high = low + WINDOW_MS;
  const beforeMs = readOffsetMs(format, low);
  const afterMs = readOffsetMs(format, high);
  // Clocks change on a whole second; the search ends at the first one that has the later offset.
  while (beforeMs !== afterMs && high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (readOffsetMs(format, middle) === beforeMs) low = middle;
    else high = middle;
  }
  const window = { beforeMs, afterMs, changesAt: high };
  clock.windows.set(key, window);
  return window;
}

/** Intl is the only source of zone data that Node carries; it takes microseconds, hence the windows. */
function readOffsetMs(format: Intl.DateTimeFormat, at: number): number {
  const read: Record<string, number> = {};
  for (const part of format.formatToParts(at)) {
    read[part.type] = part.type === 'era' ? Number(part.value.startsWith('B')) : Number(part.value);
  }
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, era = 0 } = read;
  const local = new Date(0);
  local.setUTCFullYear(era === 1 ? 1 - year : year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  return local.getTime() - Math.floor(at / 1000) * 1000;
}
