// Owns a small memory of look-ups that nearly every request repeats: bounded in entries and in age. Does not
// own what is looked up, nor whether what was found is still acceptable at this instant.

export interface LookupCacheOptions {
  entriesMax: number;
  /** How long what was found may be used, counted from when it was asked for. */
  foundForMs: number;
  /** How long "there is none" may be used. */
  missedForMs: number;
  /** A clock that only runs forward. Not the product's: a simulated one may stand still for good. */
  elapsedMs?: (() => number) | undefined;
}

interface Entry<V> {
  value: V | null;
  expiresMs: number;
}

export class LookupCache<V extends object> {
  /** Apart, so that a flood of guesses cannot push out what is found. */
  readonly #found = new Map<string, Entry<V>>();
  readonly #missed = new Map<string, Entry<V>>();
  #underWay = new Map<string, Promise<V | null>>();
  readonly #options: Required<LookupCacheOptions>;

  constructor(options: LookupCacheOptions) {
    this.#options = { ...options, elapsedMs: options.elapsedMs ?? (() => performance.now()) };
  }

  /** What is known without waiting: the value, null for "there is none", undefined for "not known". */
  peek(key: string): V | null | undefined {
    const entry = this.#found.get(key) ?? this.#missed.get(key);
    if (entry === undefined || entry.expiresMs <= this.#options.elapsedMs()) return undefined;
    if (entry.value !== null) {
      // Put back at the end: a map keeps the order of insertion, so the first is the least recently used.
      this.#found.delete(key);
      this.#found.set(key, entry);
    }
    return entry.value;
  }

  /** Asks once, however many callers want the same key at the same time. */
  get(key: string, load: () => Promise<V | undefined>): Promise<V | null> {
    const known = this.peek(key);
    if (known !== undefined) return Promise.resolve(known);
    const shared = this.#underWay.get(key);
    if (shared !== undefined) return shared;
    const { elapsedMs } = this.#options;
    const generation = this.#underWay;
    const askedMs = elapsedMs();
    const asked = load()
      .then((value) => {
        // A look-up that was under way when everything was forgotten may have read what is no longer so.
        if (generation === this.#underWay) this.#keep(key, value ?? null, askedMs);
        return value ?? null;
      })
      .finally(() => generation.delete(key));
    generation.set(key, asked);
    return asked;
  }

  forgetAll(): void {
    this.#found.clear();
    this.#missed.clear();
    this.#underWay = new Map();
  }

  #keep(key: string, value: V | null, askedMs: number): void {
    const { entriesMax, foundForMs, missedForMs } = this.#options;
    const [entries, others] = value === null ? [this.#missed, this.#found] : [this.#found, this.#missed];
    others.delete(key);
    entries.delete(key);
    entries.set(key, { value, expiresMs: askedMs + (value === null ? missedForMs : foundForMs) });
    for (const oldest of entries.keys()) {
      if (entries.size <= entriesMax) break;
      entries.delete(oldest);
    }
  }
}
