"""The data sets of MARBLE beyond the paper's: NSynth, MTG-Jamendo, Emotion in Music, GiantSteps key."""
