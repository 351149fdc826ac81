const PASSED_ON = ['PATH', 'NODE_COMPILE_CACHE']

/**
 * What a program under test is given of the environment of the tests: how to find programs, and where Node keeps what
 * it has compiled (`vitest.config.ts`), which halves the time of a start. Nothing that changes what the program does.
 */
export const childEnv: Readonly<Record<string, string>> = Object.fromEntries(
  PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
)
