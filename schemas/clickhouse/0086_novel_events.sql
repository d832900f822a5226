-- Events whose embeddings lie where the baseline has none are kept too.
ALTER TABLE window_examples {on_cluster}
    COMMENT COLUMN kind 'expectation | unusual | novel (its embedding lies where the baseline has none); empty where the revision kept none.',
    COMMENT COLUMN subject 'Name of the violated rule; empty of unusual events, @embedding of novel ones.',
    COMMENT COLUMN score 'How unusual it is, from 0 to 1, of novel ones how much of their distance lies beyond what is usual; NULL of a rule.';
