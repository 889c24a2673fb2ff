module github.com/gossipper/gossipper

go 1.26.0
