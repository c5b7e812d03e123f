"""From a task event to a notification: decide, word, send, learn. Knows no cloud and no database product."""
