package lua

func registerService(c call) int { return c.Errorf("'register_service' is not supported by hapax yet") }

func registerTask(c call) int { return c.Errorf("'register_task' is not supported by hapax yet") }
