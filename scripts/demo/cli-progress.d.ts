// The part of cli-progress that the demo uses; the package comes without types.

declare module 'cli-progress' {
  export interface BarOptions {
    format?: string;
    stream?: NodeJS.WriteStream;
    hideCursor?: boolean;
    clearOnComplete?: boolean;
    forceRedraw?: boolean;
    barsize?: number;
    /** Redraws a second. */
    fps?: number;
  }

  export class SingleBar {
    constructor(options: BarOptions, preset?: object);
    start(total: number, value: number, payload?: object): void;
    update(value: number, payload?: object): void;
    stop(): void;
  }

  export const Presets: { shades_classic: object };
}
