// Owns reading typed values out of a set of named strings, keeping every fault instead of stopping at the
// first. Does not own which variables there are (config.ts), and never reads the process's own environment.

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentFault {
  variable: string;
  detail: string;
}

/** Everything that is wrong with the configuration, in one message for the person who starts the service. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly EnvironmentFault[]) {
    const lines = faults.map(({ variable, detail }) => `- ${variable} ${detail}`);
    super(`The configuration cannot be used:\n${lines.join('\n')}`);
  }
}

interface Range {
  fallback: number;
  min: number;
  max: number;
}

interface Pattern {
  pattern: RegExp;
  /** The rule in words. The value itself is never repeated: it may be a secret. */
  rule: string;
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

export class EnvironmentReader {
  readonly faults: EnvironmentFault[] = [];

  constructor(private readonly environment: Environment) {}

  /** Empty counts as unset: compose files pass `${NAME:-}` for what nobody has set. */
  text(variable: string): string | undefined {
    const value = this.environment[variable]?.trim();
    return value === '' ? undefined : value;
  }

  integer(variable: string, { fallback, min, max }: Range): number {
    const value = this.text(variable);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (/^\d{1,15}$/.test(value) && number >= min && number <= max) return number;
    return this.fault(variable, `must be a whole number from ${min} to ${max}`) ?? fallback;
  }

  flag(variable: string): boolean {
    const value = this.text(variable);
    if (value === undefined) return false;
    return FLAGS[value.toLowerCase()] ?? this.fault(variable, 'must be true or false') ?? false;
  }

  choice<T extends string>(variable: string, choices: readonly T[], fallback: T): T {
    const value = this.text(variable);
    if (value === undefined) return fallback;
    const chosen = choices.find((choice) => choice === value);
    return chosen ?? this.fault(variable, `must be one of ${choices.join(', ')}`) ?? fallback;
  }

  matching(variable: string, { pattern, rule }: Pattern): string | undefined {
    const value = this.text(variable);
    if (value === undefined || pattern.test(value)) return value;
    return this.fault(variable, rule);
  }

  url(variable: string, protocols: readonly string[]): string | undefined {
    const value = this.text(variable);
    if (value === undefined) return undefined;
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
    return this.fault(
      variable,
      `must be a URL that begins with ${protocols.map((it) => `${it}//`).join(' or ')}`,
    );
  }

  /** Values separated by commas or spaces. */
  list(variable: string): string[] {
    return (this.text(variable) ?? '').split(/[\s,]+/).filter((item) => item !== '');
  }

  fault(variable: string, detail: string): undefined {
    this.faults.push({ variable, detail });
    return undefined;
  }

  /** Throws one error that names every fault. */
  conclude(): void {
    if (this.faults.length > 0) throw new ConfigError(this.faults);
  }
}
