/** What the lessons of a week cost. */
export function total(lessons) {
  return lessons.reduce((sum, { hours, rate }) => sum + hours * rate, 0);
}
