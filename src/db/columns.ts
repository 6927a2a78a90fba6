// Owns the column shapes that every table shares, so that time, money and tenancy look the same everywhere.

import { bigint, char, customType, timestamp, uuid } from 'drizzle-orm/pg-core';

/** `tenant_id`: the first column of every tenant table's primary key, unique index and foreign key. */
export const tenantId = () => uuid('tenant_id').notNull();

/** An instant in whole milliseconds, the product's resolution. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });

/** Minor units of a currency; the API keeps amounts within 2^53 - 1. */
export const amountMinor = (name: string) => bigint(name, { mode: 'number' });

/** ISO 4217. */
export const currency = (name: string) => char(name, { length: 3 });

export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' });
