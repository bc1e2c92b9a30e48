"""Reading a document as Twilio does: elements, and the verbs that the stand-in performs."""
