// Owns the list of what is measured of deliveries. Does not own any of it.

import type { Group } from '../group.js';
import { hanging } from './webhooks/hanging.js';
import { kills } from './webhooks/kills.js';
import { latency } from './webhooks/latency.js';
import { ordering } from './webhooks/ordering.js';
import { pace } from './webhooks/pace.js';
import { recovery } from './webhooks/recovery.js';
import { throughput } from './webhooks/throughput.js';

export const WEBHOOKS: readonly Group[] = [latency, throughput, hanging, pace, ordering, kills, recovery];
