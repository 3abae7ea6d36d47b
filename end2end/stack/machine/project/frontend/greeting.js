/** How a learner is greeted. */
export function greeting(name) {
  return name === '' ? 'Welcome' : `Welcome, ${name}`;
}
