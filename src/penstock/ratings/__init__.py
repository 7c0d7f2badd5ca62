"""What people say of two models' answers, put beside each other blind: which pairs, who counts, how sure it is."""
