// Owns the histogram of request durations. A class of our own beside the library's: that one hashes the
// labels of every observation, 3 µs of CPU a request, a tenth of what the whole frame costs. Here a route
// keeps its own counters, and labels are made when somebody asks.

import type { Metric } from 'prom-client';

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const NAME = 'perennial_http_request_duration_seconds';

interface Series {
  labels: { method: string; route: string; status: number };
  /** How many fell into each bucket, the last one being "longer". */
  counts: number[];
  sumS: number;
}

/** Keyed by what is the same object for every request of a route. */
export class RequestDurations {
  readonly #byRoute = new Map<object, Map<number, Series>>();

  observe(route: object, labels: Series['labels'], durationS: number): void {
    let byStatus = this.#byRoute.get(route);
    if (byStatus === undefined) {
      byStatus = new Map();
      this.#byRoute.set(route, byStatus);
    }
    let series = byStatus.get(labels.status);
    if (series === undefined) {
      series = { labels, counts: new Array<number>(BUCKETS_S.length + 1).fill(0), sumS: 0 };
      byStatus.set(labels.status, series);
    }
    let bucket = 0;
    while (bucket < BUCKETS_S.length && durationS > (BUCKETS_S[bucket] ?? 0)) bucket++;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sumS += durationS;
  }

  /** As a metric of the registry: what it asks of one is its values at this moment. */
  asMetric(): Metric {
    const get = async () => ({
      name: NAME,
      help: 'Time from the request line to the end of the answer.',
      type: 'histogram',
      aggregator: 'sum',
      values: [...this.#byRoute.values()].flatMap((byStatus) => [...byStatus.values()].flatMap(valuesOf)),
    });
    return { name: NAME, get, reset: () => this.#byRoute.clear() } as unknown as Metric;
  }
}

/** A bucket holds what its predecessors hold, and the last one everything. */
function valuesOf({ labels, counts, sumS }: Series) {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    return {
      metricName: `${NAME}_bucket`,
      labels: { le: BUCKETS_S[index] ?? '+Inf', ...labels },
      value: total,
    };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: sumS },
    { metricName: `${NAME}_count`, labels, value: total },
  ];
}
