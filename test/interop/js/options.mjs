/**
 * Reads pairs of an option and its value. `choices` has a pattern for each option, `defaults` the values of those that may
 * be left out. Undefined when the words are not of that form.
 */
export function parseOptions (words, choices, defaults) {
  const options = { ...defaults }
  for (let i = 0; i < words.length; i += 2) {
    if (!Object.hasOwn(choices, words[i]) || !choices[words[i]].test(words[i + 1])) {
      return undefined
    }
    options[words[i]] = words[i + 1]
  }
  return Object.keys(choices).every((name) => Object.hasOwn(options, name)) ? options : undefined
}
