module hapax

go 1.26
