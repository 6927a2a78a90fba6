// Owns the log of purchases that the demo runs on: reading it, and what it says as a whole. Does not own what
// the product makes of it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Purchase {
  /** The row's number in the log, from 1: the order's external id, since 21 rows repeat another one exactly. */
  row: number;
  customer: string;
  /** 00:00 UTC of the day of the purchase: the log has days only. */
  placedAtMs: number;
  /** US cents. */
  amountMinor: number;
}

export interface PurchaseLog {
  purchases: Purchase[];
  customers: number;
  /** Days with a purchase, summed over the customers. */
  purchaseDays: number;
}

const FILE = fileURLToPath(new URL('../../../test/fixtures/cdnow/CDNOW_sample.txt', import.meta.url));

/** Master id, sample id, date, CDs, dollars. */
const ROW = /^\s*(\d+)\s+\d+\s+(\d{4})(\d\d)(\d\d)\s+\d+\s+(\d+)\.(\d\d)\s*$/;

export function readPurchases(): PurchaseLog {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  const purchases = lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseRow(line, index + 1)]));
  return {
    purchases,
    customers: new Set(purchases.map(({ customer }) => customer)).size,
    purchaseDays: new Set(purchases.map(({ customer, placedAtMs }) => `${customer} ${placedAtMs}`)).size,
  };
}

function parseRow(line: string, row: number): Purchase {
  const [, customer, year, month, day, dollars, cents] = ROW.exec(line) ?? [];
  if (customer === undefined) throw new Error(`row ${row} of ${FILE} is not a purchase: ${line}`);
  return {
    row,
    customer,
    placedAtMs: Date.UTC(Number(year), Number(month) - 1, Number(day)),
    amountMinor: Number(dollars) * 100 + Number(cents),
  };
}
