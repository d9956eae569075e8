"""Verbs: each takes a session and plain arguments, changes rows, and leaves the commit to whoever called.

They stand in rooms. Data comes in through `events`, lives in `issues`, and leaves as decisions of `notices`
through `mails` and `integrations`; `calm` keeps messages until they come together. What decides is shaped in
`rules`, `owners` and `preferences`, by `people`. `releases` and `monitors` bring what else is known of a
project; `simulating` asks all of it "what if". Beside the rooms stand what every one of them may use.
"""
