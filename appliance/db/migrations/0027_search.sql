-- What names, notes and labels are found by (domain/words.py): without case and accents, with Western digits.
ALTER TABLE person ADD COLUMN name_words TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN note_words TEXT NOT NULL DEFAULT '';
UPDATE person SET name_words = folded(name), note_words = folded(note);
ALTER TABLE card ADD COLUMN label_words TEXT NOT NULL DEFAULT '';
UPDATE card SET label_words = folded(label);
