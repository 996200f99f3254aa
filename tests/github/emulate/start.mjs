// Starts emulate's GitHub on a free port of the loopback address, and prints where it is.
// Arguments: emulate's module, and a file with what is there at first.
import { readFileSync } from "node:fs";

const [module, seed] = process.argv.slice(2);
const { createEmulator } = await import(module);
const github = await createEmulator({
  service: "github",
  port: 0,
  seed: JSON.parse(readFileSync(seed, "utf8")),
});
console.log(github.url);
// Ends with the test that started it, however that ends.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
