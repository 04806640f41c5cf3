/** Milliseconds, 24 days: a timer of Node's that is longer rings at once. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const LONGEST_TIMER: number = 2 ** 31 - 1;
