// Owns the use of the two models that know about dropout, BG/NBD and MBG/NBD: a customer buys at a rate of
// their own and is lost for good, with a probability of their own, after a purchase. Owns P(alive), the
// probability of an order, when either falls to a threshold, and expected orders. Does not own the fit
// (dropoutFit.ts). The forms need no log-gamma, because the number of repeat purchases is an integer.

import { fallsTo } from './crossing.js';
import { meanOrdersWhileAlive } from './hypergeometric.js';

/**
 * In BG/NBD (Fader, Hardie & Lee 2005) nobody is lost before the first repeat purchase; in MBG/NBD (Batislam,
 * Denizel & Filiztekin 2007) the first purchase too can be the last.
 */
export const DROPOUT_MODELS = ['bg', 'mbg'] as const;
export type DropoutModel = (typeof DROPOUT_MODELS)[number];

/** Rates are Gamma(r, alpha in days), probabilities of dropout Beta(a, b). */
export interface DropoutParameters {
  r: number;
  alphaDays: number;
  a: number;
  b: number;
}

/** Repeat purchase days, days from the first to the last, days from the first to now: x, t_x and T. */
export interface PurchaseHistory {
  repeats: number;
  spanDays: number;
  ageDays: number;
}

/** The probability that the customer is not lost. BG/NBD holds it to be 1 for everybody with one purchase. */
export function probabilityAlive(model: DropoutModel, p: DropoutParameters, h: PurchaseHistory): number {
  return aliveAt(model, p, h.repeats, h.spanDays, h.ageDays);
}

/**
 * The age, in days from the first purchase, at which P(alive) falls to a threshold if nothing more is bought.
 * The last purchase's age where it is no higher even then; Infinity for never. Between purchases P(alive)
 * only falls, so there is one such age.
 */
export function aliveUntilAgeDays(
  model: DropoutModel,
  p: DropoutParameters,
  { repeats, spanDays }: Pick<PurchaseHistory, 'repeats' | 'spanDays'>,
  threshold: number,
): number {
  if (threshold >= 1) return spanDays;
  if (threshold <= 0 || (model === 'bg' && repeats === 0)) return Infinity;
  const k = ((1 - threshold) / threshold) * (lastSurvivals(model, p.b, repeats) / p.a);
  if (k <= 1) return spanDays;
  return spanDays + (p.alphaDays + spanDays) * Math.expm1(Math.log(k) / (p.r + repeats));
}

/** The probability of at least one purchase in the next `withinDays`. */
export function orderProbability(
  model: DropoutModel,
  p: DropoutParameters,
  h: PurchaseHistory,
  withinDays: number,
): number {
  return orderAt(model, p, h.repeats, h.spanDays, h.ageDays, withinDays);
}

/**
 * The age, in days from the first purchase, at which the probability of an order within `withinDays` falls to
 * a threshold if nothing more is bought; the last purchase's age where it is no higher even then.
 * It is a product of two falling factors, so it crosses once, and no later than either of them does. What is
 * returned is late by 1e-10 days at the most, so that it may be rounded up to a millisecond.
 */
export function orderProbabilityUntilAgeDays(
  model: DropoutModel,
  p: DropoutParameters,
  h: Pick<PurchaseHistory, 'repeats' | 'spanDays'>,
  withinDays: number,
  threshold: number,
): number {
  const { repeats, spanDays } = h;
  if (threshold <= 0) return Infinity;
  if (!(orderAt(model, p, repeats, spanDays, spanDays, withinDays) > threshold)) return spanDays;
  // The age at which the customer's rate alone, with no dropout, makes an order that unlikely.
  const idle = withinDays / Math.expm1(-Math.log1p(-threshold) / (p.r + repeats)) - p.alphaDays;
  const latest = Math.max(Math.min(aliveUntilAgeDays(model, p, h, threshold), idle), spanDays);
  return fallsTo(threshold, spanDays, latest, (ageDays) =>
    orderAt(model, p, repeats, spanDays, ageDays, withinDays),
  );
}

/** How many purchases are expected in the next `days`. */
export function expectedOrders(
  model: DropoutModel,
  p: DropoutParameters,
  h: PurchaseHistory,
  days: number,
): number {
  const { repeats, spanDays, ageDays } = h;
  if (!(days > 0)) return 0;
  const whileAlive = meanOrdersWhileAlive({
    shape: p.r + repeats,
    a: p.a,
    b: p.b + repeats + (model === 'mbg' ? 1 : 0),
    horizon: days / (p.alphaDays + Math.max(ageDays, spanDays)),
  });
  return aliveAt(model, p, repeats, spanDays, ageDays) * whileAlive;
}

/**
 * 1/(1 + e^u), u = ln(a/D) + (r + x)·ln((alpha + T)/(alpha + t_x)). Plain numbers, here and below: bisections
 * and replays ask for it millions of times.
 */
function aliveAt(model: DropoutModel, p: DropoutParameters, x: number, spanDays: number, ageDays: number) {
  if (model === 'bg' && x === 0) return 1;
  const silence = Math.max(ageDays - spanDays, 0) / (p.alphaDays + spanDays);
  const growth = Math.exp((p.r + x) * Math.log1p(silence));
  return 1 / (1 + (p.a / lastSurvivals(model, p.b, x)) * growth);
}

/** P(alive)·(1 − ((alpha + T)/(alpha + T + H))^(r + x)). */
function orderAt(
  model: DropoutModel,
  p: DropoutParameters,
  x: number,
  spanDays: number,
  ageDays: number,
  withinDays: number,
) {
  const idle = Math.log1p(withinDays / (p.alphaDays + Math.max(ageDays, spanDays)));
  return aliveAt(model, p, x, spanDays, ageDays) * -Math.expm1(-(p.r + x) * idle);
}

/** D: b and the times that the customer is known to have stayed, the last purchase not among them. */
function lastSurvivals(model: DropoutModel, b: number, x: number): number {
  return model === 'bg' ? b + x - 1 : b + x;
}
