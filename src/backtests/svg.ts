// Owns how the shapes of a picture are written as SVG. Pure. Does not own any picture (chart.ts).

export const INK = '#1f2933';
export const MUTED = '#52606d';

/** A square with both axes from 0 to 1. */
export interface Plot {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x(share: number): number;
  y(share: number): number;
}

export function plotOf({ left, top, size }: { left: number; top: number; size: number }): Plot {
  return {
    ...{ left, top, right: left + size, bottom: top + size },
    x: (share) => left + share * size,
    y: (share) => top + (1 - share) * size,
  };
}

interface Frame {
  width: number;
  height: number;
  title: string;
  description: string;
}

export function document({ width, height, title, description }: Frame, shapes: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `role="img" aria-labelledby="title description" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...shapes,
    '</svg>',
    '',
  ].join('\n');
}

interface TextStyle {
  x: number;
  y: number;
  size: number;
  weight?: number;
  anchor?: 'start' | 'middle' | 'end';
  fill?: string;
}

export function text(
  { x, y, size, weight = 400, anchor = 'start', fill = INK }: TextStyle,
  content: string,
): string {
  const place = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"`;
  return `<text ${place} font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(content)}</text>`;
}

export function line({ x1, y1, x2, y2 }: Record<'x1' | 'x2' | 'y1' | 'y2', number>, opacity: number): string {
  const place = `x1="${round(x1)}" x2="${round(x2)}" y1="${round(y1)}" y2="${round(y2)}"`;
  return `<line ${place} stroke="${INK}" stroke-opacity="${opacity}"/>`;
}

export function circle({ x, y, r, fill }: { x: number; y: number; r: number; fill: string }): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${r}" fill="${fill}" stroke="#ffffff" stroke-width="1.2"/>`;
}

/** Nothing where there are no points. */
export function path(
  points: readonly (readonly [number, number])[],
  { colour, dashed }: { colour: string; dashed: boolean },
): string {
  if (points.length === 0) return '';
  const places = points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L');
  const dash = dashed ? ' stroke-dasharray="5 4"' : '';
  return `<path d="M${places}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"${dash}/>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
